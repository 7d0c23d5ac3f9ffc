package realtest

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"
)

// StartCyrus starts Cyrus IMAP's POP3 server, whose mail comes by IMAP. It knows the users from
// sasldb, so that it has every mechanism that wants a secret.
func StartCyrus(users ...string) (Server, error) {
	return inCell("cyrus", users, func(c *cell) error {
		imap, err := freePort()
		if err != nil {
			return err
		}
		c.box = cyrusMail{imap}
		err = c.serve(fmt.Sprintf(cyrusSetUp, strings.Join(append(users, "cyrus"), " "), Password, imap, c.plain, c.implicit))
		if err != nil {
			return err
		}
		return cyrusMail{imap}.create(users)
	})
}

const cyrusSetUp = `
users='%[1]s' password='%[2]s'
mkdir -p /var/lib/cyrus/db /var/lib/cyrus/socket /var/spool/cyrus/mail /run/cyrus/socket /run/cyrus/lock /run/cyrus/proc
chown -R cyrus:mail /var/lib/cyrus /var/spool/cyrus /run/cyrus /etc/server.pem
chmod 600 /etc/server.pem
cat >/etc/imapd.conf <<'END'
servername: cyrus.test
configdirectory: /var/lib/cyrus
partition-default: /var/spool/cyrus/mail
defaultpartition: default
lmtpsocket: /run/cyrus/socket/lmtp
idlesocket: /run/cyrus/socket/idle
notifysocket: /run/cyrus/socket/notify
proc_path: /run/cyrus/proc
mboxname_lockpath: /run/cyrus/lock
admins: cyrus
allowplaintext: yes
popminpoll: 0
munge8bit: no
sasl_pwcheck_method: auxprop
sasl_auxprop_plugin: sasldb
sasl_sasldb_path: /etc/sasldb2
sasl_mech_list: PLAIN LOGIN CRAM-MD5 DIGEST-MD5 SCRAM-SHA-1 SCRAM-SHA-256 EXTERNAL
tls_server_cert: /etc/server.pem
tls_server_key: /etc/server.pem
pop3s_tls_versions: tls1_2
END
cat >/etc/cyrus.conf <<'END'
START { recover cmd="/usr/sbin/cyrus ctl_cyrusdb -r" }
SERVICES {
  imap cmd="imapd" listen="127.0.0.1:%[3]d" prefork=0 maxchild=20
  pop3 cmd="pop3d" listen="127.0.0.1:%[4]d" prefork=0 maxchild=50
  pop3s cmd="pop3d -s" listen="127.0.0.1:%[5]d" prefork=0 maxchild=50
}
EVENTS { checkpoint cmd="/usr/sbin/cyrus ctl_cyrusdb -c" period=30 }
END
for user in $users; do
	printf '%%s' "$password" | saslpasswd2 -p -c -f /etc/sasldb2 -u cyrus.test "$user"
done
chown cyrus /etc/sasldb2
/usr/lib/cyrus/bin/master -d
`

// cyrusMail puts mail by IMAP, at a port of 127.0.0.1.
type cyrusMail struct{ port int }

// create makes an empty mailbox for each user.
func (m cyrusMail) create(users []string) error {
	var commands []string
	for _, user := range users {
		commands = append(commands, "CREATE user/"+user)
	}
	return m.do("cyrus", commands)
}

// Put is [Server].Put.
func (m cyrusMail) Put(user string, messages ...Message) (Census, error) {
	census := Census{}
	var commands []string
	for _, message := range messages {
		var raw bytes.Buffer
		message.WriteTo(&raw) // a buffer takes everything
		text := asSent(raw.Bytes())
		census[Sum(sha256.Sum256(text))]++
		wire := bytes.ReplaceAll(text, []byte("\n"), []byte("\r\n"))
		commands = append(commands, fmt.Sprintf("APPEND INBOX {%d+}\r\n%s", len(wire), wire))
	}
	return census, m.do(user, commands)
}

// asSent is a message with a line end at its end.
func asSent(message []byte) []byte {
	if !bytes.HasSuffix(message, []byte("\n")) {
		message = append(message, '\n')
	}
	return message
}

// do logs in and has commands carried out, each of which has to succeed.
func (m cyrusMail) do(user string, commands []string) error {
	conn, err := net.Dial("tcp", net.JoinHostPort(Host(1), strconv.Itoa(m.port)))
	if err != nil {
		return err
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(time.Minute))
	in := bufio.NewReader(conn)
	login := fmt.Sprintf("LOGIN %s %q", user, Password)
	for _, command := range append([]string{login}, append(commands, "LOGOUT")...) {
		if _, err := fmt.Fprintf(conn, "a %s\r\n", command); err != nil {
			return err
		}
		for {
			answer, err := in.ReadString('\n')
			if err != nil {
				return err
			}
			if strings.HasPrefix(answer, "a OK") {
				break
			}
			if strings.HasPrefix(answer, "a ") {
				return fmt.Errorf("IMAP: %.60q: %s", command, strings.TrimSpace(answer))
			}
		}
	}
	return nil
}
