"""Between the network and the application: who may ask, how often, how much, and what is logged."""
