"""The commands of `latentlab`: what they ask for and print. What they do is in `latentlab.api`."""
