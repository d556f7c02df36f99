"""The functions of `import latentlab`: each with a file of its own, loaded when it is first used."""
