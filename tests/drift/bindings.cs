// Prints what the .NET library says and binds, a line each, for tests/drift.rs.
#:property PublishAot=false
#:property RollForward=Major
#:project ../../bindings/csharp/ZoomUserStatus/ZoomUserStatus.csproj
using System.Reflection;
using System.Runtime.InteropServices;
using ZoomUserStatus;

// UserNotFound -> USER_NOT_FOUND
static string Upper(string name) =>
    string.Concat(name.Select((c, i) => i > 0 && char.IsUpper(c) ? "_" + c : char.ToUpperInvariant(c).ToString()));
void Say<T>(string what) where T : struct, Enum
{
    foreach (var value in Enum.GetValues<T>()) Console.WriteLine($"{what} {Upper(value.ToString())} {Convert.ToInt32(value)}");
}
Say<UserStatusCode>("code");
Say<UserStatusAction>("action");
Say<UserStatusEncoding>("encoding");
foreach (var type in typeof(UserStatusCode).Assembly.GetTypes())
    foreach (var method in type.GetMethods(BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic))
        if (method.GetCustomAttribute<DllImportAttribute>() is { } import) Console.WriteLine($"function {import.EntryPoint}");
var options = new ZoomUserStatusOptions();
Console.WriteLine($"default connect_ms {options.ConnectTimeout.TotalMilliseconds}");
Console.WriteLine($"default total_ms {options.Timeout.TotalMilliseconds}");
Console.WriteLine($"default attempts {options.MaxAttempts}");
Console.WriteLine($"default first_ms {options.RetryDelay.TotalMilliseconds}");
Console.WriteLine($"default most_ms {options.RetryMaxDelay.TotalMilliseconds}");
Console.WriteLine($"default requests {options.RateLimit}");
Console.WriteLine($"default per_ms {options.RatePeriod.TotalMilliseconds}");
Console.WriteLine($"default concurrency {options.Concurrency}");
