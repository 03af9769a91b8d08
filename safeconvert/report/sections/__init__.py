"""The parts of the report's page, one a module: what each takes from a certificate's content, as words and numbers ready to print."""
