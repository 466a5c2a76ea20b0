-- Some consecutive sealed events. The engine skips the pages of the others, which Arrow's reader cannot.
SELECT * FROM events WHERE seq BETWEEN $first AND $last ORDER BY seq
