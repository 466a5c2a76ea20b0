-- Least privilege for Beholden on PostgreSQL 12 or later.
--
-- What it does: makes a role that can log in and read the tables of this database, and nothing else.
-- Who runs it: an administrator, once in each database to be looked at, as superuser or as the owner of the tables.
--   psql -d DATABASE -f THIS_FILE
-- Running it again does no harm. What it granted is taken back with:
--   DROP OWNED BY beholden_reader; DROP ROLE beholden_reader;

-- 1. The role. No password stands here: set one afterwards, in psql, with \password beholden_reader
--    (or let it log in by certificate, GSSAPI or your cloud's own means).
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'beholden_reader') THEN
        CREATE ROLE beholden_reader LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOINHERIT NOREPLICATION;
    END IF;
END
$$;

-- 2. Reins on the role, whatever program logs in with it. Beholden asks for the same or less by itself.
ALTER ROLE beholden_reader CONNECTION LIMIT 4;                               -- never crowds out your applications
ALTER ROLE beholden_reader SET default_transaction_read_only = on;           -- a second lock: it holds no right to write
ALTER ROLE beholden_reader SET statement_timeout = '60s';                    -- no query runs longer
ALTER ROLE beholden_reader SET lock_timeout = '10s';                         -- does not queue behind a schema change
ALTER ROLE beholden_reader SET idle_in_transaction_session_timeout = '600s'; -- does not hold back vacuum when it hangs

-- 3. May connect to this database. (PUBLIC usually may; this line also serves where that was revoked.)
DO $$
BEGIN
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO beholden_reader', current_database());
END
$$;

-- 4. May read. For each schema that is not the server's own: USAGE to reach its tables, SELECT to read them.
--    To leave a schema out, add its name to the list in the loop; Beholden then lists its tables as not readable.
DO $$
DECLARE
    one text;
BEGIN
    FOR one IN
        SELECT nspname FROM pg_catalog.pg_namespace
        WHERE nspname !~ '^pg_' AND nspname NOT IN ('information_schema')
    LOOP
        EXECUTE format('GRANT USAGE ON SCHEMA %I TO beholden_reader', one);
        EXECUTE format('GRANT SELECT ON ALL TABLES IN SCHEMA %I TO beholden_reader', one);  -- tables, views, partitions
    END LOOP;
END
$$;

-- 5. May read tables made later, too. PostgreSQL keeps this per owner: once for each role that owns a table here
--    and for the role that runs this script. An owner we may not speak for is told as a notice, not an error.
DO $$
DECLARE
    maker text;
    one text;
BEGIN
    FOR maker, one IN
        SELECT DISTINCT r.rolname, n.nspname
        FROM pg_catalog.pg_namespace AS n
        JOIN pg_catalog.pg_roles AS r
          ON r.rolname = current_user
          OR r.oid IN (SELECT c.relowner FROM pg_catalog.pg_class AS c WHERE c.relnamespace = n.oid)
        WHERE n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema')
    LOOP
        BEGIN
            EXECUTE format(
                'ALTER DEFAULT PRIVILEGES FOR ROLE %I IN SCHEMA %I GRANT SELECT ON TABLES TO beholden_reader', maker, one
            );
        EXCEPTION WHEN insufficient_privilege THEN
            RAISE NOTICE 'tables that role % makes later in schema % will not be readable: run this as that role', maker, one;
        END;
    END LOOP;
END
$$;

-- Instead of 4 and 5, on PostgreSQL 14 or later: one membership that reads every table of every database,
-- now and later, also in schemas made later. Simpler, and wider than most want. The role must inherit it:
--   ALTER ROLE beholden_reader INHERIT;
--   GRANT pg_read_all_data TO beholden_reader;
