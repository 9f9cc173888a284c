"""The risk beside the rule, for people and programs that use a trained model."""
