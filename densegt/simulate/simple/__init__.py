"""The simple street: closed-form shapes on a smooth ground, quick enough for tests."""
