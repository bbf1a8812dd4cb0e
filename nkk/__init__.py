"""The library that the four stages share and that a team's own tooling installs. It depends on no service."""
