// The lessons as panels of the shell.
