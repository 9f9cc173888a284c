"""The definition, the label it gives, and the classifier of who will meet it."""
