"""What the device keeps until it was delivered, and what it did: all of its SQL, and the files beside."""
