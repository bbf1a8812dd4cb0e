"""Operation of a whole installation: the stack on one machine, the command line, and the demonstration."""
