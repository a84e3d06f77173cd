"""The routes, a module a subject. Every query starts from the token's shop."""
