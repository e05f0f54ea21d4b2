-- No transaction that says COMMIT before it was compared may succeed, whatever a dump contains.
CREATE FUNCTION pg_temp.guard() RETURNS trigger LANGUAGE plpgsql AS $guard$
BEGIN
  IF coalesce(current_setting('changeover.proven', true), '') <> 'on' THEN
    RAISE EXCEPTION 'a restore would have been committed before it was compared';
  END IF;
  RETURN NULL;
END
$guard$;
CREATE TEMP TABLE guard (a int) ON COMMIT DROP;
CREATE CONSTRAINT TRIGGER guard AFTER INSERT ON pg_temp.guard DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION pg_temp.guard();
INSERT INTO pg_temp.guard VALUES (1);
