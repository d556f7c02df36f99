"""The map: geometry and dots as functions, the widget that shows them, and what lies over it."""
