SELECT to_json(oid = @number@) FROM pg_database WHERE datname = @name@;
