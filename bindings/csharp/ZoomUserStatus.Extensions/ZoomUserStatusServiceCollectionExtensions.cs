using System;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using ZoomUserStatus;

namespace Microsoft.Extensions.DependencyInjection
{
    /// <summary>
    /// Registers <see cref="ZoomUserStatusClient"/>: one for the life of the container, which disposes it. The options are validated when the
    /// host starts. Log lines go to the ILogger "ZoomUserStatus", unless the options have a Log of their own.
    /// </summary>
    public static class ZoomUserStatusServiceCollectionExtensions
    {
        /// <summary>The category of the log lines.</summary>
        private const string Category = "ZoomUserStatus";

        /// <summary>Registers the client, with options from a section of the configuration. A key that no option has is an error.</summary>
        /// <param name="services">The services.</param>
        /// <param name="configuration">The section, e.g. <c>builder.Configuration.GetSection("Zoom")</c>.</param>
        /// <returns>The services.</returns>
        public static IServiceCollection AddZoomUserStatus(this IServiceCollection services, IConfiguration configuration) =>
            Add(services, null, Bound(configuration));

        /// <summary>Registers the client, with options from code.</summary>
        /// <param name="services">The services.</param>
        /// <param name="configure">Sets the options.</param>
        /// <returns>The services.</returns>
        public static IServiceCollection AddZoomUserStatus(this IServiceCollection services, Action<ZoomUserStatusOptions> configure) =>
            Add(services, null, options => options.Configure(configure));

        /// <summary>Registers the client, with options from code that needs other services, e.g. a token provider over your vault.</summary>
        /// <param name="services">The services.</param>
        /// <param name="configure">Sets the options.</param>
        /// <returns>The services.</returns>
        public static IServiceCollection AddZoomUserStatus(this IServiceCollection services, Action<ZoomUserStatusOptions, IServiceProvider> configure) =>
            Add(services, null, options => options.Configure(configure));

        /// <summary>Registers a client under a key, with options from a section of the configuration: one client for each Zoom account.</summary>
        /// <param name="services">The services.</param>
        /// <param name="key">The key, and the name of the options.</param>
        /// <param name="configuration">The section.</param>
        /// <returns>The services.</returns>
        public static IServiceCollection AddKeyedZoomUserStatus(this IServiceCollection services, string key, IConfiguration configuration) =>
            Add(services, Named(key), Bound(configuration));

        /// <summary>Registers a client under a key, with options from code: one client for each Zoom account.</summary>
        /// <param name="services">The services.</param>
        /// <param name="key">The key, and the name of the options.</param>
        /// <param name="configure">Sets the options.</param>
        /// <returns>The services.</returns>
        public static IServiceCollection AddKeyedZoomUserStatus(this IServiceCollection services, string key, Action<ZoomUserStatusOptions> configure) =>
            Add(services, Named(key), options => options.Configure(configure));

        /// <summary>Registers a client under a key, with options from code that needs other services.</summary>
        /// <param name="services">The services.</param>
        /// <param name="key">The key, and the name of the options.</param>
        /// <param name="configure">Sets the options.</param>
        /// <returns>The services.</returns>
        public static IServiceCollection AddKeyedZoomUserStatus(this IServiceCollection services, string key, Action<ZoomUserStatusOptions, IServiceProvider> configure) =>
            Add(services, Named(key), options => options.Configure(configure));

        private static string Named(string key)
        {
            ArgumentException.ThrowIfNullOrEmpty(key);
            return key;
        }

        private static Action<OptionsBuilder<ZoomUserStatusOptions>> Bound(IConfiguration configuration)
        {
            ArgumentNullException.ThrowIfNull(configuration);
            return options => options.Bind(configuration, binder => binder.ErrorOnUnknownConfiguration = true);
        }

        private static IServiceCollection Add(IServiceCollection services, string? key, Action<OptionsBuilder<ZoomUserStatusOptions>> configure)
        {
            ArgumentNullException.ThrowIfNull(services);
            string name = key ?? Options.Options.DefaultName;
            OptionsBuilder<ZoomUserStatusOptions> options = services.AddOptions<ZoomUserStatusOptions>(name);
            configure(options);
            options.PostConfigure<IServiceProvider>(LogToLogger).ValidateOnStart();
            services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<ZoomUserStatusOptions>>(new ZoomUserStatusOptionsValidation()));
            if (key is null) services.TryAddSingleton(provider => Client(provider, name));
            else services.TryAddKeyedSingleton(key, (provider, _) => Client(provider, name));
            return services;
        }

        private static ZoomUserStatusClient Client(IServiceProvider provider, string name) =>
            new ZoomUserStatusClient(provider.GetRequiredService<IOptionsMonitor<ZoomUserStatusOptions>>().Get(name));

        private static void LogToLogger(ZoomUserStatusOptions options, IServiceProvider provider)
        {
            if (options.Log != null || provider.GetService<ILoggerFactory>()?.CreateLogger(Category) is not ILogger logger) return;
            // The most detailed level that the logger has on now: the library doesn't write lines that nobody reads.
            UserStatusLogLevel level = UserStatusLogLevel.Debug;
            while (level < UserStatusLogLevel.Error && !logger.IsEnabled((LogLevel)level)) level++;
            options.LogLevel = level;
            options.Log = (lineLevel, line) => logger.Line((LogLevel)lineLevel, line);
        }
    }

    internal static partial class ZoomUserStatusLog
    {
        [LoggerMessage(EventId = 1, EventName = "ZoomUserStatus", Message = "{Line}")]
        public static partial void Line(this ILogger logger, LogLevel level, string line);
    }

    internal sealed class ZoomUserStatusOptionsValidation : IValidateOptions<ZoomUserStatusOptions>
    {
        public ValidateOptionsResult Validate(string? name, ZoomUserStatusOptions options)
        {
            try { options.Validate(); }
            catch (InvalidOperationException e) { return ValidateOptionsResult.Fail(string.IsNullOrEmpty(name) ? e.Message : "\"" + name + "\": " + e.Message); }
            return ValidateOptionsResult.Success;
        }
    }
}
