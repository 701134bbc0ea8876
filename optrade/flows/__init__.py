"""What commands do, put together from the packages; nothing here prints."""
