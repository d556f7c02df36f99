"""The list of sliders: what it slides along, how a row is drawn and edited."""
