"""What the Training panel is made of: the form of a new run, and the watching of one."""

ON_USE = ("curves",)  # imports pyqtgraph, a quarter of a second: not read ahead
