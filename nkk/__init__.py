"""What the four stages share, and what a team's own tooling installs. Knows no service."""
