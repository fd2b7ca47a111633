"""Our own tests, mirroring the packages."""
