"""What a command does and writes, behind the command line and the API."""
