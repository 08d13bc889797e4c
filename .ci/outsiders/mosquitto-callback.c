/*
 * A Mosquitto plugin that asks Loadstone at every login and for every topic (OA-141): POST /mqtt/auth and /mqtt/acl, with the shared secret.
 * Built by mosquitto.sh: cc -shared -fPIC, headers of Debian's mosquitto-dev. Options: plugin_opt_port, plugin_opt_secret (loopback, plain HTTP).
 * What Loadstone does not let in is left to the password file, where the publisher's own login is.
 */
#include <arpa/inet.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <mosquitto.h>
#include <mosquitto_broker.h>
#include <mosquitto_plugin.h>

static mosquitto_plugin_id_t *self;
static char secret[256];
static int port;

/* A JSON string; what would not fit asks for nothing. */
static const char *quoted(const char *text, char *out, size_t room) {
	size_t n = 0;
	out[n++] = '"';
	for (const char *c = text ? text : ""; *c; c++) {
		if (n + 8 > room) { strcpy(out, "\"\""); return out; }
		if (*c == '"' || *c == '\\' || (unsigned char)*c < 32) n += (size_t)sprintf(out + n, "\\u%04x", (unsigned char)*c);
		else out[n++] = *c;
	}
	strcpy(out + n, "\"");
	return out;
}

static bool ask(const char *path, const char *body) {
	static char request[20000];
	char answer[16] = "";
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct timeval patience = { .tv_sec = 5 };
	int s = socket(AF_INET, SOCK_STREAM, 0);
	if (s < 0) return false;
	setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	snprintf(request, sizeof request, "POST /mqtt/%s HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n%s", path, secret, strlen(body), body);
	size_t got = 0;
	if (connect(s, (struct sockaddr *)&to, sizeof to) == 0 && send(s, request, strlen(request), MSG_NOSIGNAL) == (ssize_t)strlen(request))
		for (ssize_t n; got < 12 && (n = recv(s, answer + got, 12 - got, 0)) > 0;) got += (size_t)n;
	close(s);
	return strncmp(answer, "HTTP/1.1 200", 12) == 0;
}

static int on_login(int event, void *data, void *user) {
	(void)event; (void)user;
	struct mosquitto_evt_basic_auth *login = data;
	char name[600], word[9000], body[10000];
	snprintf(body, sizeof body, "{\"username\":%s,\"password\":%s}", quoted(login->username, name, sizeof name), quoted(login->password, word, sizeof word));
	return ask("auth", body) ? MOSQ_ERR_SUCCESS : MOSQ_ERR_PLUGIN_DEFER;
}

static int on_topic(int event, void *data, void *user) {
	(void)event; (void)user;
	struct mosquitto_evt_acl_check *check = data;
	if (check->access == MOSQ_ACL_UNSUBSCRIBE) return MOSQ_ERR_SUCCESS;
	char name[600], topic[2000], body[3000];
	snprintf(body, sizeof body, "{\"username\":%s,\"topic\":%s,\"acc\":%d}", quoted(mosquitto_client_username(check->client), name, sizeof name), quoted(check->topic, topic, sizeof topic), check->access);
	return ask("acl", body) ? MOSQ_ERR_SUCCESS : MOSQ_ERR_ACL_DENIED;
}

int mosquitto_plugin_version(int count, const int *versions) {
	for (int i = 0; i < count; i++) if (versions[i] == 5) return 5;
	return -1;
}

int mosquitto_plugin_init(mosquitto_plugin_id_t *id, void **user, struct mosquitto_opt *options, int count) {
	(void)user;
	self = id;
	for (int i = 0; i < count; i++) {
		if (strcmp(options[i].key, "port") == 0) port = atoi(options[i].value);
		if (strcmp(options[i].key, "secret") == 0) snprintf(secret, sizeof secret, "%s", options[i].value);
	}
	mosquitto_callback_register(self, MOSQ_EVT_BASIC_AUTH, on_login, NULL, NULL);
	return mosquitto_callback_register(self, MOSQ_EVT_ACL_CHECK, on_topic, NULL, NULL);
}

int mosquitto_plugin_cleanup(void *user, struct mosquitto_opt *options, int count) {
	(void)user; (void)options; (void)count;
	mosquitto_callback_unregister(self, MOSQ_EVT_BASIC_AUTH, on_login, NULL);
	return mosquitto_callback_unregister(self, MOSQ_EVT_ACL_CHECK, on_topic, NULL);
}
