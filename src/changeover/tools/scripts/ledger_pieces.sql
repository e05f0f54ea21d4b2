DO $judge$
DECLARE known @table@%ROWTYPE;
BEGIN
  SELECT * INTO known FROM @table@ WHERE name = @name@;
  IF FOUND AND known.digest <> @digest@ THEN
    RAISE EXCEPTION USING ERRCODE = 'CO001', MESSAGE = 'it is not what was applied';
  ELSIF FOUND AND known.applied_at IS NULL AND NOT @again@ THEN
    RAISE EXCEPTION USING ERRCODE = 'CO002', MESSAGE = format('it was cut half-way at %s', known.started_at);
  END IF;
END
$judge$;
SELECT NOT EXISTS (SELECT FROM @table@ WHERE name = @name@ AND applied_at IS NOT NULL) AS due \gset
\if :due
INSERT INTO @table@ (name, digest, by) VALUES (@name@, @digest@, @by@)
  ON CONFLICT (name) DO UPDATE SET started_at = clock_timestamp();
@pieces@UPDATE @table@ SET applied_at = clock_timestamp(),
  seconds = extract(epoch FROM clock_timestamp() - started_at) WHERE name = @name@;
\endif
