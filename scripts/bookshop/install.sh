# Installs version 1.0.0 of the bookshop, on a host that is thrown away afterwards.
systemctl start postgresql
runuser -u postgres -- psql -q <<SQL
create role bookshop login superuser password '$PASSWORD';
create database bookshop owner bookshop;
\c bookshop
create table book (id serial primary key, title text not null);
insert into book (title) select 'Book ' || n from generate_series(1, 1200) n;
SQL
mkdir -p /srv/bookshop
echo 1.0.0 >/srv/bookshop/VERSION
printf 'currency = EUR\nworkers = 2\n' >/etc/bookshop.conf
install -m 755 /srv/setup/app.py /srv/bookshop/app.py
install -m 644 /srv/setup/bookshop.service /etc/systemd/system/bookshop.service
systemctl daemon-reload
systemctl enable -q --now bookshop.service
