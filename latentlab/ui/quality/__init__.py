"""What the quality panel is made of."""
