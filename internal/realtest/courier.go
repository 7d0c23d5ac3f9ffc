package realtest

import (
	"fmt"
	"path/filepath"
	"strings"
)

// StartCourier starts Courier's POP3 server, with mail in Maildirs and users in userdb, so that
// it knows the secrets for CRAM-MD5.
func StartCourier(users ...string) (Server, error) {
	return inCell("courier", users, func(c *cell) error {
		box := &store{dir: filepath.Join(c.folder, "mail"), uid: mailUser, gid: mailUser}
		for _, name := range users {
			if err := box.add(name); err != nil {
				return err
			}
		}
		c.box = box
		return c.serve(fmt.Sprintf(courierSetUp, strings.Join(users, " "), Password, mailUser, passwordHash,
			c.plain, c.implicit))
	})
}

// The certificate has to belong to courier: STLS is served after root has been given up.
const courierSetUp = `
users='%[1]s' password='%[2]s' uid=%[3]d hash='%[4]s'
mkdir -p /var/lib/courier /run/courier/authdaemon
chown courier:courier /var/lib/courier /run/courier /run/courier/authdaemon /etc/server.pem
chmod 600 /etc/server.pem

hmac=$(printf '%%s\n%%s\n' "$password" "$password" | userdbpw -hmac-md5)
for user in $users; do
	printf '%%s\tuid=%%d|gid=%%d|home=/srv/mail/%%s|mail=/srv/mail/%%s/Maildir|systempw=%%s|hmac-md5pw=%%s\n' \
		"$user" "$uid" "$uid" "$user" "$user" "$hash" "$hmac"
done >/etc/courier/userdb
chmod 600 /etc/courier/userdb
mkdir -p /usr/lib/courier/courier-authlib
ln -sf ../courier/makedatprog /usr/lib/courier/courier-authlib/makedatprog
makeuserdb

cat >>/etc/courier/authdaemonrc <<'END'
authmodulelist="authuserdb"
daemons=2
END
cat >>/etc/courier/pop3d <<'END'
ADDRESS=127.0.0.1
PORT=%[5]d
MAXPERIP=100
MAXDAEMONS=100
POP3AUTH="PLAIN LOGIN CRAM-MD5"
END
cat >>/etc/courier/pop3d-ssl <<'END'
SSLADDRESS=127.0.0.1
SSLPORT=%[6]d
TLS_CERTFILE=/etc/server.pem
TLS_DHPARAMS=
POP3AUTH_TLS="LOGIN PLAIN"
END
authdaemond start
/usr/lib/courier/pop3d start
/usr/lib/courier/pop3d-ssl start
`
