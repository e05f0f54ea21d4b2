-- One line an object: kind, name, digest of its definition. Casts and parentheses are left out:
-- a server prints an expression otherwise once it was dumped and restored.
WITH own AS (
  SELECT classid, objid FROM pg_depend WHERE deptype = 'e'
), space AS (
  SELECT oid, nspname, nspowner, nspacl FROM pg_namespace n
  WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'
    AND NOT EXISTS (SELECT FROM own WHERE classid = 'pg_namespace'::regclass AND objid = n.oid)
), rel AS (
  SELECT c.*, nspname, quote_ident(nspname) || '.' || quote_ident(relname) AS called
  FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
  WHERE nspname !~ '^pg_' AND nspname <> 'information_schema' AND relpersistence <> 't'
    AND NOT EXISTS (SELECT FROM own WHERE classid = 'pg_class'::regclass AND objid = c.oid)
), object (kind, called, definition) AS (
  SELECT 'schema', quote_ident(nspname), concat_ws('|', pg_get_userbyid(nspowner), (
    SELECT string_agg(concat_ws(' ', CASE grantee WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(grantee) END, privilege_type, is_grantable), ',' ORDER BY 1)
    FROM (SELECT DISTINCT grantee, privilege_type, is_grantable FROM aclexplode(coalesce(nspacl, acldefault('n', nspowner))) ORDER BY 1, 2, 3) a))
  FROM space
  UNION ALL
  SELECT 'extension', quote_ident(extname), nspname
  FROM pg_extension e JOIN pg_namespace n ON n.oid = extnamespace
  UNION ALL
  SELECT 'type', quote_ident(nspname) || '.' || quote_ident(typname), concat_ws('|', typtype, pg_get_userbyid(typowner),
    (SELECT string_agg(quote_literal(enumlabel), ',' ORDER BY enumsortorder) FROM pg_enum WHERE enumtypid = t.oid),
    CASE typtype WHEN 'd' THEN concat_ws(' ', format_type(typbasetype, typtypmod), typnotnull, typdefault) END,
    (SELECT format_type(rngsubtype, NULL) FROM pg_range WHERE rngtypid = t.oid))
  FROM pg_type t JOIN space s ON s.oid = typnamespace
  WHERE typtype IN ('e', 'd', 'r')
    AND NOT EXISTS (SELECT FROM own WHERE classid = 'pg_type'::regclass AND objid = t.oid)
  UNION ALL
  SELECT 'relation', called, concat_ws('|', relkind, pg_get_userbyid(relowner), relpersistence,
    (SELECT string_agg(o, ',' ORDER BY o) FROM unnest(reloptions) o), pg_get_expr(relpartbound, oid),
    CASE relkind WHEN 'p' THEN pg_get_partkeydef(oid) END,
    (SELECT string_agg(inhparent::regclass::text, ',' ORDER BY inhseqno) FROM pg_inherits WHERE inhrelid = rel.oid),
    relrowsecurity, relforcerowsecurity, relispopulated, relreplident, (
    SELECT string_agg(concat_ws(' ', CASE grantee WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(grantee) END, privilege_type, is_grantable), ',')
    FROM (SELECT DISTINCT grantee, privilege_type, is_grantable FROM aclexplode(coalesce(relacl,
      acldefault(CASE relkind WHEN 'S' THEN 's' ELSE 'r' END::"char", relowner))) ORDER BY 1, 2, 3) a))
  FROM rel WHERE relkind IN ('r', 'p', 'v', 'm', 'S', 'f', 'c')
  UNION ALL
  SELECT 'column', called || '.' || quote_ident(attname), concat_ws('|', format_type(atttypid, atttypmod),
    attnotnull, CASE WHEN atthasdef THEN pg_get_expr(adbin, adrelid) END, attidentity, attgenerated,
    (SELECT collname FROM pg_collation l WHERE l.oid = attcollation), (
    SELECT string_agg(concat_ws(' ', CASE grantee WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(grantee) END, privilege_type, is_grantable), ',')
    FROM (SELECT DISTINCT grantee, privilege_type, is_grantable FROM aclexplode(attacl) ORDER BY 1, 2, 3) a))
  FROM rel JOIN pg_attribute ON attrelid = rel.oid LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
  WHERE attnum > 0 AND NOT attisdropped AND relkind IN ('r', 'p', 'v', 'm', 'f', 'c')
  UNION ALL
  SELECT 'sequence', called, concat_ws('|', format_type(seqtypid, NULL), seqstart, seqincrement, seqmin, seqmax, seqcache, seqcycle,
    (SELECT pg_describe_object(refclassid, refobjid, refobjsubid) FROM pg_depend
     WHERE classid = 'pg_class'::regclass AND objid = rel.oid AND deptype IN ('a', 'i')))
  FROM rel JOIN pg_sequence ON seqrelid = rel.oid
  UNION ALL
  SELECT 'view', called, pg_get_viewdef(oid) FROM rel WHERE relkind IN ('v', 'm')
  UNION ALL
  SELECT 'index', called, concat_ws('|', pg_get_indexdef(indexrelid), indisvalid, indisclustered, indisreplident)
  FROM rel JOIN pg_index ON indexrelid = rel.oid
  UNION ALL
  SELECT 'constraint', coalesce(called, t.typname) || '.' || quote_ident(conname), concat_ws('|', pg_get_constraintdef(k.oid), convalidated)
  FROM pg_constraint k LEFT JOIN rel ON rel.oid = conrelid LEFT JOIN pg_type t ON t.oid = contypid
  WHERE contype <> 'n' AND (rel.oid IS NOT NULL OR t.typnamespace IN (SELECT oid FROM space))
    AND NOT EXISTS (SELECT FROM own WHERE classid = 'pg_type'::regclass AND objid = contypid)
  UNION ALL
  SELECT 'trigger', called || '.' || quote_ident(tgname), concat_ws('|', pg_get_triggerdef(pg_trigger.oid), tgenabled)
  FROM pg_trigger JOIN rel ON rel.oid = tgrelid WHERE NOT tgisinternal
  UNION ALL
  SELECT 'rule', called || '.' || quote_ident(rulename), pg_get_ruledef(pg_rewrite.oid)
  FROM pg_rewrite JOIN rel ON rel.oid = ev_class WHERE rulename <> '_RETURN'
  UNION ALL
  SELECT 'policy', called || '.' || quote_ident(polname), concat_ws('|', polcmd, polpermissive,
    (SELECT string_agg(CASE r WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(r) END, ',' ORDER BY 1) FROM unnest(polroles) r),
    pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid))
  FROM pg_policy JOIN rel ON rel.oid = polrelid
  UNION ALL
  SELECT 'function', p.oid::regprocedure::text, concat_ws('|', prokind, pg_get_userbyid(proowner),
    CASE prokind WHEN 'a' THEN (SELECT concat_ws(' ', aggtransfn, aggfinalfn, agginitval) FROM pg_aggregate WHERE aggfnoid = p.oid)
      ELSE pg_get_functiondef(p.oid) END, (
    SELECT string_agg(concat_ws(' ', CASE grantee WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(grantee) END, privilege_type, is_grantable), ',')
    FROM (SELECT DISTINCT grantee, privilege_type, is_grantable FROM aclexplode(coalesce(proacl, acldefault('f', proowner))) ORDER BY 1, 2, 3) a))
  FROM pg_proc p JOIN space s ON s.oid = pronamespace
  WHERE NOT EXISTS (SELECT FROM own WHERE classid = 'pg_proc'::regclass AND objid = p.oid)
  UNION ALL
  SELECT 'comment', i.type || ' ' || i.identity, description
  FROM pg_description d, pg_identify_object(d.classoid, d.objoid, d.objsubid) i
  WHERE d.objoid >= 16384 AND i.identity IS NOT NULL
    AND NOT EXISTS (SELECT FROM own WHERE classid = d.classoid AND objid = d.objoid)
  UNION ALL
  SELECT i.type, i.identity, ''
  FROM (SELECT 'pg_cast'::regclass, oid FROM pg_cast UNION ALL SELECT 'pg_operator'::regclass, oid FROM pg_operator
    UNION ALL SELECT 'pg_collation'::regclass, oid FROM pg_collation UNION ALL SELECT 'pg_opclass'::regclass, oid FROM pg_opclass
    UNION ALL SELECT 'pg_ts_config'::regclass, oid FROM pg_ts_config UNION ALL SELECT 'pg_ts_dict'::regclass, oid FROM pg_ts_dict
    UNION ALL SELECT 'pg_foreign_server'::regclass, oid FROM pg_foreign_server
    UNION ALL SELECT 'pg_statistic_ext'::regclass, oid FROM pg_statistic_ext
    UNION ALL SELECT 'pg_event_trigger'::regclass, oid FROM pg_event_trigger) o (class, id), pg_identify_object(class, id, 0) i
  WHERE id >= 16384 AND i.schema IS DISTINCT FROM 'pg_catalog'
    AND NOT EXISTS (SELECT FROM own WHERE classid = class AND objid = id)
)
SELECT json_build_array(kind, called, md5(regexp_replace(regexp_replace(definition,
  '::("[^"]+"|[a-z_0-9]+(\.[a-z_0-9]+)?)( varying| precision)?(\(\d+(,\d+)?\))?( with(out)? time zone)?(\[\])*', '', 'g'),
  '[\s()]+', '', 'g')))
FROM object ORDER BY kind COLLATE "C", called COLLATE "C", definition COLLATE "C";
