"""The commands, one module each; every one is loaded when it is called."""
