
DECLARE known text; start timestamptz := clock_timestamp();
BEGIN
  SELECT digest INTO known FROM @table@ WHERE name = @name@;
  IF known IS NULL THEN
    EXECUTE @content@;
    INSERT INTO @table@ (name, digest, by, started_at, applied_at, seconds) VALUES (@name@, @digest@,
      @by@, start, clock_timestamp(), extract(epoch FROM clock_timestamp() - start));
  ELSIF known <> @digest@ THEN
    RAISE EXCEPTION USING ERRCODE = 'CO001', MESSAGE = 'it is not what was applied';
  END IF;
END
