"""What keeps numbers from being texted, asked of many at a time before there is any message: nothing is written."""
