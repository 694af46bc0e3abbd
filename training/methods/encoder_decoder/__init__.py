"""What UNIT and MUNIT share: two domains, each with an encoder and a decoder."""
