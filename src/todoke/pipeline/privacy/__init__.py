"""What people agreed to, in and out; and one person's data: all of it as a document, or gone."""
