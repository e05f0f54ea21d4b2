SELECT to_regclass(@regclass@) IS NOT NULL AS there \gset
\if :there
SELECT json_build_array(name, digest, applied_at IS NOT NULL) FROM @table@ ORDER BY name COLLATE "C";
\endif
