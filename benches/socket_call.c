/* The floor: the same bytes over a bare socket, with no HTTP client at all. Plain HTTP only. */
#include "bench.h"
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

static char request[2048];
static int length;

static void call(void *context)
{
    int fd = *(int *)context;
    char answer[4096];
    if (send(fd, request, (size_t)length, 0) != length)
        fail("socket", length, "not sent");
    ssize_t got = recv(fd, answer, sizeof answer - 1, 0);
    answer[got < 0 ? 0 : got] = 0;
    if (strncmp(answer, "HTTP/1.1 204 ", 13) != 0 || !strstr(answer, "\r\n\r\n"))
        fail("socket", got, "no 204");
}

int main(int argc, char **argv)
{
    struct arguments a = read_arguments(argc, argv);
    char host[64];
    int port;
    if (sscanf(a.api, "http://%63[0-9.]:%d", host, &port) != 2)
        fail("socket", 0, "the URL is not http://a.b.c.d:port");
    length = snprintf(request, sizeof request,
                      "PUT /v2/users/" USER_ID "/status HTTP/1.1\r\nHost: %s:%d\r\nAccept: */*\r\n"
                      "Authorization: Bearer " TOKEN "\r\nContent-Type: %s\r\nContent-Length: %zu\r\n\r\n%s",
                      host, port, a.form ? "multipart/form-data; boundary=" FORM_BOUNDARY : "application/json",
                      a.form ? strlen(FORM) : strlen(JSON), a.form ? FORM : JSON);
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((unsigned short)port)};
    inet_pton(AF_INET, host, &to.sin_addr);
    int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (connect(fd, (struct sockaddr *)&to, sizeof to))
        fail("socket", port, "no connection");
    run(a.calls, call, &fd);
    close(fd);
    return 0;
}
