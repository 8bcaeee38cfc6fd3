"""The three methods that the paper compares with in Table 6, each after its own paper."""
