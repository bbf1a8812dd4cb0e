"""What runs and looks after the whole: the stack on one machine, the command line, and the demonstration."""
