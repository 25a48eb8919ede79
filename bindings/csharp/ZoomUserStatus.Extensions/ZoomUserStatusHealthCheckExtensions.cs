using System;
using System.Collections.Generic;
using System.Threading;
using System.Threading.Tasks;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;
using ZoomUserStatus;

namespace Microsoft.Extensions.DependencyInjection
{
    /// <summary>A health check that obtains an access token with the credentials of a registered client.</summary>
    public static class ZoomUserStatusHealthCheckExtensions
    {
        /// <summary>
        /// Adds a check that obtains a fresh access token, not the one that the client keeps, and touches no user. It is healthy when a token
        /// was obtained. Zoom is asked seldom: between, the last outcome is given again. A static access token can't be checked like this: that
        /// is <see cref="HealthStatus.Degraded"/>.
        /// </summary>
        /// <param name="builder">The health checks.</param>
        /// <param name="name">The check's name.</param>
        /// <param name="key">The key of a client that AddKeyedZoomUserStatus registered; null for the one of AddZoomUserStatus.</param>
        /// <param name="failureStatus">The status of a failure. Default <see cref="HealthStatus.Unhealthy"/>.</param>
        /// <param name="tags">The check's tags.</param>
        /// <param name="interval">How long a success stands before a new token is obtained. Default 5 minutes. A failure stands for a tenth of it.</param>
        /// <returns>The health checks.</returns>
        public static IHealthChecksBuilder AddZoomUserStatus(this IHealthChecksBuilder builder, string name = "zoom_user_status", string? key = null,
            HealthStatus? failureStatus = null, IEnumerable<string>? tags = null, TimeSpan? interval = null)
        {
            ArgumentNullException.ThrowIfNull(builder);
            // One for the life of the container: it remembers.
            builder.Services.AddKeyedSingleton(name, (provider, _) => new ZoomUserStatusHealthCheck(provider.GetRequiredService<IOptionsMonitor<ZoomUserStatusOptions>>(),
                key ?? Options.Options.DefaultName, interval ?? TimeSpan.FromMinutes(5), provider.GetService<TimeProvider>() ?? TimeProvider.System));
            return builder.Add(new HealthCheckRegistration(name, provider => provider.GetRequiredKeyedService<ZoomUserStatusHealthCheck>(name), failureStatus, tags));
        }
    }

    internal sealed class ZoomUserStatusHealthCheck(IOptionsMonitor<ZoomUserStatusOptions> options, string name, TimeSpan interval, TimeProvider time) : IHealthCheck, IDisposable
    {
        private readonly SemaphoreSlim _one = new SemaphoreSlim(1);
        private HealthCheckResult _last;
        private DateTimeOffset _stands; // until then

        public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
        {
            await _one.WaitAsync(cancellationToken).ConfigureAwait(false);
            try
            {
                if (time.GetUtcNow() < _stands) return _last;
                _last = await ObtainToken(context.Registration.FailureStatus, cancellationToken).ConfigureAwait(false);
                _stands = time.GetUtcNow() + (_last.Status == HealthStatus.Healthy ? interval : interval / 10);
                return _last;
            }
            finally { _one.Release(); }
        }

        public void Dispose() => _one.Dispose();

        private async Task<HealthCheckResult> ObtainToken(HealthStatus failure, CancellationToken cancellationToken)
        {
            ZoomUserStatusOptions settings = options.Get(name);
            if (settings.AccessToken != null) return HealthCheckResult.Degraded("A static access token can't be checked without touching a user.");
            try
            {
                using var client = new ZoomUserStatusClient(settings); // the registered one keeps its token, and would not ask again
                await client.CheckCredentialsAsync(cancellationToken).ConfigureAwait(false);
                return HealthCheckResult.Healthy("An access token was obtained.", new Dictionary<string, object> { ["at"] = time.GetUtcNow() });
            }
#pragma warning disable CA1031 // a token provider may throw anything; it is what this check is about
            catch (Exception e) when (!cancellationToken.IsCancellationRequested)
#pragma warning restore CA1031
            {
                return new HealthCheckResult(failure, e.Message, e);
            }
        }
    }
}
