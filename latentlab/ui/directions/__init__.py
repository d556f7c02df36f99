"""Ways of making attribute directions: one file each, listed in the registry, chosen from the "+" of the panel."""
