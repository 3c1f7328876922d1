// Package sdkconfig tests the library with the settings of config.LoadDefaultConfig. It is in a module
// of its own, so that the library's module does not require that package and what it drags along.
package sdkconfig
