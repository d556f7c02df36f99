"""What the Training panel is made of: the form of a new run, and the watching of one."""
