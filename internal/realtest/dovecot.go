package realtest

import (
	"bufio"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"text/template"
	"time"
)

// Dovecot is a Dovecot 2.3, run by whoever runs the test: root, or an ordinary user.
type Dovecot struct {
	store
	folder   string
	every    bool // has every mechanism
	plain    int
	implicit int
	master   *Child
}

// dovecotConf lets many log in from one address, does not delay a thing, and leaves it to the
// kernel when mail is written: what a crash does to the server is not what is tested.
var dovecotConf = template.Must(template.New("dovecot.conf").Parse(`
base_dir = {{.Folder}}/run
state_dir = {{.Folder}}/state
log_path = {{.Folder}}/log
protocols = pop3
listen = {{.Listen}}
{{if .User}}
default_login_user = {{.User}}
default_internal_user = {{.User}}
default_internal_group = {{.Group}}
{{end}}
ssl = yes
ssl_cert = <{{.Folder}}/cert.pem
ssl_key = <{{.Folder}}/key.pem
ssl_dh =
disable_plaintext_auth = no
{{if .Every}}
auth_mechanisms = plain login cram-md5 apop scram-sha-1 scram-sha-256 external xoauth2 oauthbearer
ssl_ca = <{{.Folder}}/ca.pem
ssl_verify_client_cert = yes
ssl_require_crl = no
auth_ssl_username_from_cert = yes
passdb {
  driver = oauth2
  mechanisms = xoauth2 oauthbearer
  args = {{.Folder}}/oauth2.conf
}
passdb {
  driver = static
  mechanisms = external
  args = nopassword=y
}
{{else}}
auth_mechanisms = plain login
{{end}}
auth_failure_delay = 0
mail_fsync = never
mail_location = maildir:%h/Maildir
mail_max_userip_connections = 0
first_valid_uid = 1
default_process_limit = 200
default_client_limit = 1000
passdb {
  driver = passwd-file
  {{if .Every}}mechanisms = plain login cram-md5 apop scram-sha-1 scram-sha-256{{end}}
  args = scheme=PLAIN username_format=%u {{.Folder}}/users
}
userdb {
  driver = passwd-file
  args = username_format=%u {{.Folder}}/users
}
service pop3-login {
  service_count = 0
  process_limit = 4
  {{if .User}}chroot ={{end}}
  inet_listener pop3 {
    port = {{.Plain}}
  }
  inet_listener pop3s {
    port = {{.Implicit}}
    ssl = yes
  }
}
service auth {
  client_limit = 6000
}
service anvil {
  client_limit = 1000
  {{if .User}}chroot ={{end}}
}
service stats {
  {{if .User}}chroot ={{end}}
}
`))

// StartDovecot starts one and waits until it answers. It tries again where somebody else took a
// port that was free just before.
func StartDovecot(users ...string) (Server, error) { return startAgain(users, false) }

// StartDovecotWithAll starts one with every mechanism that it has. OAuth2 tokens are checked by a
// key in its folder, client certificates by its authority.
func StartDovecotWithAll(users ...string) (Server, error) { return startAgain(users, true) }

func startAgain(users []string, every bool) (Server, error) {
	var err error
	for range 3 {
		var d *Dovecot
		if d, err = startDovecot(users, every); err == nil {
			return d, nil
		}
	}
	return nil, fmt.Errorf("start dovecot: %w", err)
}

func startDovecot(users []string, every bool) (_ *Dovecot, err error) {
	folder, err := os.MkdirTemp("", "popsync-dovecot-")
	if err != nil {
		return nil, err
	}
	d := &Dovecot{folder: folder, every: every, store: store{dir: filepath.Join(folder, "mail"), uid: os.Getuid(), gid: os.Getgid()}}
	defer func() {
		if err != nil {
			d.Stop()
		}
	}()
	if d.uid == 0 {
		d.uid, d.gid = 65534, 65534 // Dovecot gives no mail to root
	}
	if err := d.furnish(users); err != nil {
		return nil, err
	}
	if err := d.start(); err != nil {
		return nil, err
	}
	return d, d.await()
}

// furnish fills the folder: certificates, configuration, users and their mailboxes.
func (d *Dovecot) furnish(users []string) (err error) {
	if err := os.Chmod(d.folder, 0o755); err != nil { // the owner of the mailboxes has to get in
		return err
	}
	if err := os.Mkdir(d.dir, 0o755); err != nil {
		return err
	}
	if err := makeCertificates(d.folder, users...); err != nil {
		return err
	}
	if d.every {
		if err := d.acceptTokens(); err != nil {
			return err
		}
	}
	if d.plain, err = freePort(); err != nil {
		return err
	}
	if d.implicit, err = freePort(); err != nil {
		return err
	}
	if err := d.configure(); err != nil {
		return err
	}
	var passwd strings.Builder
	for _, name := range users {
		fmt.Fprintf(&passwd, "%s:{PLAIN}%s:%d:%d::%s\n", name, Password, d.uid, d.gid, filepath.Join(d.dir, name))
		if err := d.add(name); err != nil {
			return err
		}
	}
	return os.WriteFile(filepath.Join(d.folder, "users"), []byte(passwd.String()), 0o644)
}

func (d *Dovecot) configure() error {
	var listen []string
	for n := range Hosts {
		listen = append(listen, Host(n+1))
	}
	values := struct {
		Folder, Listen, User, Group string
		Plain, Implicit             int
		Every                       bool
	}{Every: d.every, Folder: d.folder, Listen: strings.Join(listen, ", "), Plain: d.plain, Implicit: d.implicit}
	if os.Getuid() != 0 {
		var err error
		if values.User, values.Group, err = userAndGroup(); err != nil {
			return err
		}
	}
	conf, err := os.Create(filepath.Join(d.folder, "dovecot.conf"))
	if err != nil {
		return err
	}
	return errors.Join(dovecotConf.Execute(conf, values), conf.Close())
}

func (d *Dovecot) start() error {
	path, err := lookPath("dovecot")
	if err != nil {
		return err
	}
	d.master, err = Start(exec.Command(path, "-F", "-c", filepath.Join(d.folder, "dovecot.conf")))
	return err
}

// await returns once the server greets at its last address.
func (d *Dovecot) await() error {
	addr := net.JoinHostPort(Host(Hosts), strconv.Itoa(d.plain))
	var err error
	for range 100 {
		if err = greets(addr); err == nil {
			return nil
		}
		select {
		case <-d.master.Done():
			return fmt.Errorf("it ended: %s", d.Log())
		case <-time.After(100 * time.Millisecond):
		}
	}
	return fmt.Errorf("%w; its log: %s", err, d.Log())
}

func greets(addr string) error {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return err
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(10 * time.Second))
	line, err := bufio.NewReader(conn).ReadString('\n')
	if err == nil && !strings.HasPrefix(line, "+OK") {
		err = fmt.Errorf("%s greets with %q", addr, line)
	}
	return err
}

// Log is [Server].Log, with what Dovecot wrote to standard error once it is over.
func (d *Dovecot) Log() string {
	log, err := os.ReadFile(filepath.Join(d.folder, "log"))
	if err != nil {
		return err.Error()
	}
	return string(log) + d.master.Stderr()
}

// Port is [Server].Port.
func (d *Dovecot) Port(tls string) int {
	if tls == Implicit {
		return d.implicit
	}
	return d.plain
}

// CA is [Server].CA.
func (d *Dovecot) CA() string { return filepath.Join(d.folder, "ca.pem") }

// tokenKey is what Dovecot and the tests sign OAuth2 tokens with.
const tokenKey = "a key of 32 octets for the tests."

// acceptTokens has tokens checked by tokenKey, without asking anybody.
func (d *Dovecot) acceptTokens() error {
	keys := filepath.Join(d.folder, "keys")
	if err := os.MkdirAll(filepath.Join(keys, "default", "HS256"), 0o755); err != nil {
		return err
	}
	key := base64.StdEncoding.EncodeToString([]byte(tokenKey))
	conf := "introspection_mode = local\nusername_attribute = sub\n" +
		"local_validation_key_dict = fs:posix:prefix=" + keys + "/\n"
	return errors.Join(
		os.WriteFile(filepath.Join(keys, "default", "HS256", "default"), []byte(key), 0o644),
		os.WriteFile(filepath.Join(d.folder, "oauth2.conf"), []byte(conf), 0o644))
}

// Token is an OAuth2 access token for user, a JWT (RFC 7519) that is good for an hour.
func (d *Dovecot) Token(user string) string {
	now := time.Now().Unix()
	claims := fmt.Sprintf(`{"sub":%q,"iat":%d,"nbf":%d,"exp":%d}`, user, now-60, now-60, now+3600)
	encode := base64.RawURLEncoding.EncodeToString
	signed := encode([]byte(`{"typ":"JWT","alg":"HS256"}`)) + "." + encode([]byte(claims))
	mac := hmac.New(sha256.New, []byte(tokenKey))
	mac.Write([]byte(signed))
	return signed + "." + encode(mac.Sum(nil))
}

// Certificate has the files of a certificate that names user, and of its key.
func (d *Dovecot) Certificate(user string) (cert, key string) {
	return filepath.Join(d.folder, user+".pem"), filepath.Join(d.folder, user+"-key.pem")
}

// Stop is [Server].Stop.
func (d *Dovecot) Stop() error {
	var err error
	if d.master != nil {
		err = d.master.Stop(5 * time.Second)
	}
	return errors.Join(err, os.RemoveAll(d.folder))
}

// freePort is a port that nobody listens on.
func freePort() (int, error) {
	l, err := net.Listen("tcp", net.JoinHostPort(Host(1), "0"))
	if err != nil {
		return 0, err
	}
	return l.Addr().(*net.TCPAddr).Port, l.Close()
}

// userAndGroup names who runs the test.
func userAndGroup() (name, group string, err error) {
	u, err := user.Current()
	if err != nil {
		return "", "", err
	}
	g, err := user.LookupGroupId(u.Gid)
	if err != nil {
		return "", "", err
	}
	return u.Username, g.Name, nil
}
