"""One function per API path: it takes the account, the request and the ids in the path, and returns a reply."""
