"""The only code that reads the world: ``read`` for files, ``fetch`` for the network."""
