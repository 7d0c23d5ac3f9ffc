package realtest

import (
	"fmt"
	"path/filepath"
	"strings"
)

// passwordHash is [Password] as crypt(3) keeps it.
const passwordHash = "$6$popsync$1RQNKQYfu8F9eUqpE792B8.PPcRPHN1U8ac6tPxLcMg6t.QmsgWRR/OCKnDSRlmGhTmm5NaY6GZhUVdoO8P320"

// mailUser owns the mail of a cell's users who are none of the system.
const mailUser = 3000

// addUsers makes names users of the cell's system, from uid 2001 on, beside those that servers
// run as.
func (c *cell) addUsers(names []string) error {
	var passwd, shadow, group strings.Builder
	add := func(name string, uid int, hash, home, shell string) {
		fmt.Fprintf(&passwd, "%s:x:%d:%d::%s:%s\n", name, uid, uid, home, shell)
		fmt.Fprintf(&shadow, "%s:%s:19000:0:99999:7:::\n", name, hash)
	}
	add("root", 0, "*", "/root", "/bin/sh")
	for uid, name := range map[int]string{
		8: "mail", 33: "www-data", 901: "courier", 902: "cyrus", 903: "popa3d", 904: "sasl", 905: "spop3d",
		mailUser: "vmail", 65534: "nobody",
	} {
		add(name, uid, "*", "/nonexistent", "/usr/sbin/nologin")
		fmt.Fprintf(&group, "%s:x:%d:\n", name, uid)
	}
	group.WriteString("root:x:0:\nshadow:x:42:\nnogroup:x:65534:\n")
	for i, name := range names {
		add(name, firstUser+i, passwordHash, filepath.Join("/srv/mail", name), "/bin/sh")
		fmt.Fprintf(&group, "%s:x:%d:\n", name, firstUser+i)
	}
	for file, content := range map[string]string{
		"etc/passwd": passwd.String(), "etc/shadow": shadow.String(), "etc/group": group.String(),
		"etc/nsswitch.conf": "passwd: files\ngroup: files\nshadow: files\nhosts: files\n",
		"etc/hosts":         "127.0.0.1 localhost\n",
		"etc/pam.d/pop":     pam, "etc/pam.d/popa3d": pam, "etc/pam.d/solid-pop3d": pam,
		"etc/pam.d/gnu-mailutils": pam, "etc/pam.d/mailutils": pam, "etc/pam.d/pop3d": pam,
	} {
		if err := c.own(file, content); err != nil {
			return err
		}
	}
	return nil
}

// firstUser is the uid of a cell's first user; the next ones follow.
const firstUser = 2001

// pam lets the users of the cell's shadow file in.
const pam = "auth required pam_unix.so\naccount required pam_unix.so\n"
