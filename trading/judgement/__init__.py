"""What trades were worth: intervals that know of dependence, and of all that was tried."""
