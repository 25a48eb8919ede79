using System.Diagnostics;
using System.Diagnostics.Metrics;
using ZoomUserStatus;

public class TracingTests
{
    private static async Task<List<Activity>> Spans(Func<ZoomUserStatusClient, Task> use)
    {
        var spans = new List<Activity>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == "ZoomUserStatus",
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = span => { lock (spans) spans.Add(span); },
        };
        ActivitySource.AddActivityListener(listener);
        using ZoomUserStatusClient client = Sandbox.Shared.Client();
        await use(client);
        return spans;
    }

    [Fact]
    public async Task Each_update_is_a_span_without_the_user()
    {
        using var parent = new Activity("parent").Start();
        List<Activity> spans = await Spans(async client =>
        {
            client.Deactivate("ada@example.com");
            await client.TryUpdateAsync("nobody@example.com", UserStatusAction.Activate);
            await client.TryUpdateAsync("answer-503@example.com", UserStatusAction.ClockIn);
        });
        Assert.Equal(3, spans.Count);
        Assert.All(spans, s => Assert.Equal(("ZoomUserStatus.Update", ActivityKind.Client, parent.SpanId), (s.OperationName, s.Kind, s.ParentSpanId)));
        Assert.Equal(["deactivate", "activate", "clock_in"], spans.Select(s => s.GetTagItem("zus.action")));
        Assert.Equal(["ZUS_OK", "ZUS_ERR_USER_NOT_FOUND", "ZUS_ERR_SERVER"], spans.Select(s => s.GetTagItem("zus.code")));
        Assert.Equal([204, 404, 503], spans.Select(s => s.GetTagItem("zus.http_status")));
        Assert.Equal([1, 1, 4], spans.Select(s => s.GetTagItem("zus.attempts")));
        Assert.Equal([ActivityStatusCode.Unset, ActivityStatusCode.Error, ActivityStatusCode.Error], spans.Select(s => s.Status));
        foreach (Activity span in spans)
            Assert.DoesNotContain("example.com", span.DisplayName + span.StatusDescription + string.Join(" ", span.TagObjects));
    }

    [Fact]
    public async Task A_cancelled_update_is_a_span_too()
    {
        using var cancel = new CancellationTokenSource(100);
        List<Activity> spans = await Spans(client => Assert.ThrowsAnyAsync<OperationCanceledException>(() => client.ActivateAsync("answer-never@example.com", cancel.Token)));
        Activity span = Assert.Single(spans);
        Assert.Equal(ActivityStatusCode.Error, span.Status);
        Assert.Contains("Cancel", (string)span.GetTagItem("error.type")!);
    }

    [Fact]
    public async Task A_batch_is_a_span_with_one_for_each_user()
    {
        List<Activity> spans = await Spans(client => client.UpdateManyAsync(["ada@example.com", "nobody@example.com"], UserStatusAction.Activate));
        Assert.Equal(3, spans.Count);
        Activity batch = spans[2];
        Assert.Equal("ZoomUserStatus.UpdateMany", batch.OperationName);
        Assert.Equal("ZUS_ERR_PARTIAL", batch.GetTagItem("zus.code"));
        Assert.Equal(0, batch.GetTagItem("zus.not_sent"));
        Assert.All(spans.Take(2), s => Assert.Equal(("ZoomUserStatus.Update", batch.SpanId), (s.OperationName, s.ParentSpanId)));
        Assert.Equal(["ZUS_ERR_USER_NOT_FOUND", "ZUS_OK"], spans.Take(2).Select(s => s.GetTagItem("zus.code")).Order());
        // One that blocks: when each user began is not known.
        spans = await Spans(client => Task.FromResult(client.UpdateMany(["ada@example.com", "nobody@example.com"], UserStatusAction.Activate)));
        Assert.Equal("ZoomUserStatus.UpdateMany", Assert.Single(spans).OperationName);
    }

    [Fact]
    public async Task Reads_are_spans_and_no_updates()
    {
        List<Activity> spans = await Spans(async client =>
        {
            client.GetStatus("ada@example.com");
            await client.GetStatusManyAsync(["ada@example.com"]);
            await client.CheckCredentialsAsync();
        });
        Assert.Equal(["GetStatus", "GetStatus", "GetStatusMany", "CheckCredentials"], spans.Select(s => s.OperationName.Replace("ZoomUserStatus.", "")));
        Assert.All(spans, s => Assert.Null(s.GetTagItem("zus.action")));
    }

    [Fact]
    public void Updates_attempts_and_durations_are_counted()
    {
        var measured = new List<(string Name, double Value, string Tags)>();
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, l) => { if (instrument.Meter.Name == "ZoomUserStatus") l.EnableMeasurementEvents(instrument); },
        };
        void Note(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
        {
            string text = string.Join(",", tags.ToArray().Select(t => t.Value));
            lock (measured) measured.Add((instrument.Name, value, text));
        }
        listener.SetMeasurementEventCallback<long>((i, v, t, _) => Note(i, v, t));
        listener.SetMeasurementEventCallback<double>((i, v, t, _) => Note(i, v, t));
        listener.Start();
        using ZoomUserStatusClient client = Sandbox.Shared.Client();
        client.TryUpdate("answer-503@example.com", UserStatusAction.Deactivate);
        client.UpdateMany(["ada@example.com", "nobody@example.com"], UserStatusAction.Activate);
        double Sum(string name, string tags) => measured.Where(m => m.Name == "zoom_user_status." + name && m.Tags == tags).Sum(m => m.Value);
        Assert.Equal(1, Sum("updates", "deactivate,ZUS_ERR_SERVER"));
        Assert.Equal(4, Sum("attempts", "deactivate"));
        Assert.Equal(1, Sum("updates", "activate,ZUS_OK"));
        Assert.Equal(1, Sum("updates", "activate,ZUS_ERR_USER_NOT_FOUND"));
        Assert.Equal(2, Sum("attempts", "activate"));
        Assert.InRange(Sum("update.duration", "deactivate,ZUS_ERR_SERVER"), 0.0001, 60);
    }
}
