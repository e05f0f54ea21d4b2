-- The rows a lab starts with: :rows datasets of different lengths, some titles twice, an account.
INSERT INTO organization VALUES
    ('11004601800013', 'Ministère de la Transition écologique'),
    ('13002526500013', 'Direction interministérielle du numérique');
-- The password is "password".
INSERT INTO account (organization_siret, email, password_hash, role) VALUES
    ('13002526500013', 'catalogue@example.org',
     'c0ffee00c0ffee00$b9fc5cc8ad95b2a92bfc916bd131fe87ac0938b01f1f7bb0b9b4a9d227809dec', 'ADMIN');
INSERT INTO dataset (organization_siret, title, description, service, created_at)
SELECT
    CASE n % 2 WHEN 0 THEN '11004601800013' ELSE '13002526500013' END,
    -- Every hundredth title stands twice, as in catalogues that people fill.
    'Inventaire des ' || (ARRAY['forêts', 'ponts', 'écoles', 'stations de mesure', 'marchés'])[1 + m % 5] || ' n° ' || m,
    repeat((ARRAY[
        'Relevé annuel de l''énergie consommée par les bâtiments publics, par commune et par usage. ',
        'Liste géolocalisée des équipements sportifs recensés, avec leur état et leur accessibilité. ',
        'Mesures horaires de la qualité de l''air aux stations fixes du réseau national de surveillance. '
    ])[1 + n % 3], 6 + n % 7),
    (ARRAY['direction du climat', 'Direction Du Climat', ' cartographie', 'Cartographie', 'achats'])[1 + n % 5],
    timestamptz '2023-01-01' + n * interval '1 minute'
FROM (SELECT n, CASE WHEN n % 100 = 0 THEN n - 2 ELSE n END AS m FROM generate_series(1, :rows) AS n) AS row;
ANALYZE;
