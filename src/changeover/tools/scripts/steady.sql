SET standard_conforming_strings = on;
SET search_path = pg_catalog;
SET timezone = 'UTC';
SET datestyle = 'ISO, MDY';
SET intervalstyle = 'postgres';
SET extra_float_digits = 3;
SET bytea_output = 'hex';
SET xmloption = content;
SET row_security = off;
SET statement_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
-- The backend of a client that died must not run on with its locks (known from PostgreSQL 14 on).
SELECT set_config(name, '2s', false) FROM pg_settings
WHERE name = 'client_connection_check_interval' \g /dev/null
