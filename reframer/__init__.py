"""Answers the inner critic the way a best friend would, wholly on the user's own machine."""
