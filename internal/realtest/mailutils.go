package realtest

import (
	"bytes"
	"fmt"
	"path/filepath"
)

// StartMailutils starts the POP3 server of GNU Mailutils, with mail in mbox files.
func StartMailutils(users ...string) (Server, error) {
	return inCell("mailutils", users, func(c *cell) (err error) {
		if c.box, err = newMboxStore(filepath.Join(c.folder, "mail"), users, unquoted); err != nil {
			return err
		}
		return c.serve(fmt.Sprintf(mailutilsSetUp, c.plain, c.implicit))
	})
}

// unquoted takes the > away that a delivery writes before From in an mbox, as Mailutils does.
func unquoted(message []byte) []byte {
	var out []byte
	for line := range bytes.Lines(message) {
		if bytes.HasPrefix(line, []byte(">From ")) {
			line = line[1:]
		}
		out = append(out, line...)
	}
	return out
}

// A folder for locks has to be there, or it answers [IN-USE] for ever.
const mailutilsSetUp = `
mkdir -p /run/lock/subsys/mail
chmod 1777 /run/lock/subsys/mail
chmod 600 /etc/server.pem
cat >/etc/pop3d.conf <<'END'
mode daemon;
max-children 100;
logging { syslog yes; };
mailbox { mail-spool "/srv/mail";  };
tls { ssl-certificate-file /etc/server.pem; ssl-key-file /etc/server.pem; };
tls-mode ondemand;
server 127.0.0.1:%[1]d { tls-mode ondemand; };
server 127.0.0.1:%[2]d { tls-mode connection; };
END
pop3d --no-config --config-file=/etc/pop3d.conf
`
