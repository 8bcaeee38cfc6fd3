"""Networks that measure: what they say is never trained against."""
